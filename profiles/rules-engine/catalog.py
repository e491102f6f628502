"""The severities: a table that is made once, when the first run needs it."""

TABLE = {number: "severity %03d" % (number % 200) for number in range(400)}


def severity(found):
    return TABLE[min(found, 399)]
