"""Kernels of the course's own runs: private sockets, and no word while a reply is awaited."""

from types import SimpleNamespace

from nbclient.output_widget import OutputWidget

from genssl_utils.course.kernel import PrivateKernel


def test_an_output_widget_keeps_its_outputs_and_sends_nothing():
    """A message sent while nbclient awaits a reply on the same socket can lose that reply."""
    sent = []
    client = SimpleNamespace(
        session=SimpleNamespace(msg=lambda *a, **k: a),
        shell_channel=SimpleNamespace(send=sent.append),
    )
    executor = SimpleNamespace(widget_state={"c": {}})
    widget = OutputWidget("c", {"outputs": []}, client, executor)
    message = {
        "header": {"msg_type": "stream"},
        "parent_header": {},
        "content": {"name": "stdout", "text": "seen"},
    }
    widget.output([], message, None, 0)
    assert [o["text"] for o in executor.widget_state["c"]["outputs"]] == ["seen"]
    assert sent == []


def test_two_kernels_share_no_socket():
    first, second = PrivateKernel(), PrivateKernel()
    assert first.connection_file != second.connection_file
    assert first.ip != second.ip or first.transport == "tcp"
