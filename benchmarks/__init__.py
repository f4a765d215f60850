"""Measurements. They print tables and never fail for a number: a machine's speed is no defect."""
