"""Vendors' wire formats, written: frames in, the bytes that a vendor would have sent out."""
