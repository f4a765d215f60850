"""What requests may hold and answers hold, in all REST resources."""
