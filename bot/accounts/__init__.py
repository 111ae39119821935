"""Staff accounts, and who a user is: by password, by proof of a host page, by a platform."""
