"""Do predictions mean what they say, and how are they mended?"""
