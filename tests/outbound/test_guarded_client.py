"""Which addresses are out on the internet."""

import pytest

from chalicelib.outbound.guarded_client import is_public

INSIDE = """
    127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 224.0.0.1 255.255.255.255 198.18.0.1
    ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::a9fe:a9fe 2002:7f00:1::
    ff02::1 64:ff9b:1::808:808 fec0::1 ::127.0.0.1 ::8.8.8.8 ::ffff:0:10.0.0.1
"""
OUTSIDE = "8.8.8.8 140.82.121.4 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 ::ffff:0:808:808"


@pytest.mark.parametrize("address", INSIDE.split())
def test_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE.split())
def test_outside(address: str) -> None:
    assert is_public(address)
