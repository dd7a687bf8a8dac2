"""GenSSL: an interactive course on deep generative models and on learning without labels."""

__version__ = "0.1.0"
