"""What all HTTP layers share."""
