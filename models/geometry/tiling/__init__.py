"""Large images piece by piece: how much overlap, which pieces, and the prediction.

`halo.halo` says how much neighbouring pieces must overlap, `cover.cover` where they lie,
`predict_tiled.predict_tiled` predicts. `alike` is what all of them stand on: which outputs of a
piece are those that the whole image has there.
"""
