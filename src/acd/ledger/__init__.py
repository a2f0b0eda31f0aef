"""Files become rows: fold lines, price requests, balance reports, write rows and offsets in one transaction."""
