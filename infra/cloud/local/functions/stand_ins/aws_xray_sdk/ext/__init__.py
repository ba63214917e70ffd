"""Parts of the X-Ray SDK for other libraries."""
