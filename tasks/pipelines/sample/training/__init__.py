"""How the sample model came to be: `make train-sample`. Nothing of it is loaded by web or workers."""
