"""One router per subject; a route validates, asks the views or the inbox, and answers a schema."""
