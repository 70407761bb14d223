"""The network, and how a picture is read through it: whole, in tiles, at places on its pooling grid."""
