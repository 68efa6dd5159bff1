"""What uses a trained model: its file and card, prediction and serving. No torch, Kedro or MLflow here."""
