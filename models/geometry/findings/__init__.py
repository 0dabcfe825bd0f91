"""What is worth a look in a network, before it is trained."""
