"""Messages to bytes and back, for every technique; nothing here ever does I/O.

Rules of this room:

* standard library only: no socket, no event loop, no HTTP library, no clock, no Locust;
* each codec goes both ways: ``encode_*`` functions make bytes, a ``*Decoder`` takes them apart;
* every decoder has one shape: ``decode(chunk) -> list`` of what became complete; "not enough
  yet" is the ordinary answer ``[]``, and what is wrong raises an error from :mod:`wire.errors`;
* values are frozen dataclasses.

Import the module you need (``from wire import event_stream``); this file imports nothing.
"""
