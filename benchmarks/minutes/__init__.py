"""M60 and M250: the array exchange on minute bars beside vectorbt, on arrays that anybody can make again."""
