"""`python -m convert quantize`: a model of your own to int8, checked against the float one."""
