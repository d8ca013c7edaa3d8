"""Builders of the objects that flags describe; they import TensorFlow, which flags do without."""
