"""Keyturn in an AWS account: packaged by Chalice, deployed as one CloudFormation stack."""
