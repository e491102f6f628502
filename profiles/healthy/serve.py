"""A web application that keeps nothing: Flask, Jinja and SQLAlchemy, three kinds of request a run."""

import gc
import logging
import sys
import tracemalloc

from flask import Flask, jsonify, render_template_string, request
from sqlalchemy import create_engine, text

app = Flask(__name__)
logging.disable(logging.CRITICAL)
database = create_engine("sqlite://")
with database.begin() as connection:
    connection.execute(text("create table t(a int, b text)"))
PAGE = "<ul>{% for r in rows %}<li>{{r.a}} {{r.b}}</li>{% endfor %}</ul>"


@app.route("/a/<int:n>")
def page(n):
    with database.begin() as connection:
        connection.execute(text("insert into t values(:a, :b)"), {"a": n, "b": "x" * 50})
        rows = connection.execute(text("select * from t where a = :a"), {"a": n}).fetchall()
    return render_template_string(PAGE, rows=rows)


@app.route("/j", methods=["POST"])
def echo():
    return jsonify(request.get_json())


@app.route("/e")
def fails():
    raise ValueError("x")


def main(runs, path):
    client = app.test_client()
    for run in range(runs):
        client.get(f"/a/{run}")
        client.post("/j", json={"k": [1, 2, 3], "i": run})
        client.get("/e")
    gc.collect()
    tracemalloc.take_snapshot().dump(path)


if __name__ == "__main__":
    tracemalloc.start(12)
    main(int(sys.argv[1]), sys.argv[2])
