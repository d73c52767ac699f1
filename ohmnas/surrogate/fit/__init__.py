"""Fitting a surrogate. Needs scikit-learn, SciPy and XGBoost; predicting needs only NumPy."""
