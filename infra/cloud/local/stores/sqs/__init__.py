"""Amazon SQS in virtual time: see ``queue`` for the rules, ``service`` for the operations."""
