"""The aws target against MiniStack, an implementation of AWS's API that none of us wrote."""
