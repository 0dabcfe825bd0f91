"""How the layers compute: convolutions with a border, and maps extended by one."""
