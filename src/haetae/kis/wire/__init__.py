"""The codec of the KIS Open API, pure, both directions: client and emulator share these tables.

``table``       every call by area: TR ids, request names, outputs, quirks; ``shape`` is the form of one
``operations``  ``OPERATIONS[name]``, ``operation_for(path, tr_id)``, ``Operation.read / body / serves / tr_id``, `Mode`
``rows``        row tables (``Row.encode`` gives complete rows, ``Row.column`` / ``Row.value`` read) and conventions
``calls``       typed requests and readings of every call the client makes, made from the table by ``typed``
``fields``      forms of single values
``envelope``    ``read_reply``, ``build_reply``, ``build_refusal``, ``build_oauth_refusal``, paging keys
``codes``       message codes, texts, ``reaction(code, status=)``, ``http_status(code)``
``frames``      ``parse_frame``, ``records``, ``build_frame``, AES, stream tables and schema `Revision`
``control``     subscription requests, acks, PINGPONG
``records``     `TradeRecord`, `BookRecord`, `NoticeRecord` with ``encode`` / ``decode``; ``market_records`` the others
``prints``      whole trade frames as columns of integers, ``read_prints``; ``digits`` reads texts strictly
``masters``     ``build_master``, ``parse_master`` of the ``.mst.zip`` files

No sockets, no clock, no secrets. Import the module you need; this package re-exports nothing.
"""
