import socket

from chaoskit.ports import PortHolder, free_port, is_listening


def test_a_held_port_refuses_clients_and_lets_its_server_in() -> None:
    holder = PortHolder()
    address = holder.hold()
    assert not is_listening(address)
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(address)
        server.listen()
        assert is_listening(address)
    holder.release_all()


def test_a_held_port_is_given_to_nobody_else() -> None:
    holder = PortHolder()
    held = {holder.hold() for _ in range(200)}
    assert len(held) == 200
    outgoing = []
    with socket.create_server(("127.0.0.1", 0), backlog=500) as server:
        for _ in range(200):
            client = socket.create_connection(server.getsockname())
            outgoing.append(client)
        assert not {client.getsockname()[1] for client in outgoing} & {address.port for address in held}
        for client in outgoing:
            client.close()
    holder.release_all()


def test_a_released_port_is_free() -> None:
    holder = PortHolder()
    address = holder.hold()
    holder.release(address)
    holder.release(address)
    with socket.create_server(address):
        assert is_listening(address)


def test_a_preferred_port_is_taken_where_it_is_free_and_another_where_it_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: int = server.getsockname()[1]
        other = free_port(taken)
        assert other != taken
        with socket.create_server(("127.0.0.1", other)):
            pass
    assert free_port(taken) == taken
