"""Where the keys that sign access tokens are kept: in an encrypted parameter on AWS, or in a file of its owner's."""
