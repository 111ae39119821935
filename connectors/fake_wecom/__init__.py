"""A 政务微信/WeCom server of our own, for tests and for showing the product without a platform.

Behaves as the vendor documents it, the unpleasant parts included. Nothing of the product needs it.
"""
