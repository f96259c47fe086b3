"""The console: pages for operators on the admin port, made on the server, without scripts.

What a page shows, and what a button does, are functions of `bookings` that the command line uses as well.
"""
