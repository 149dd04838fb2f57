"""The course: fourteen notebooks; their code is in ``notebooks.course``."""
