"""Programs that FrameStyle is a plug-in of: which there are, where each looks, what was put there. Loads no torch."""

from framestyle.hosts.catalog import HOSTS as HOSTS
from framestyle.hosts.catalog import Host as Host
from framestyle.hosts.installing import Installed as Installed
from framestyle.hosts.installing import State as State
from framestyle.hosts.installing import install as install
from framestyle.hosts.installing import installed as installed
from framestyle.hosts.installing import remove as remove
from framestyle.hosts.installing import state_of as state_of
from framestyle.hosts.trying import Trouble as Trouble
from framestyle.hosts.trying import trouble_of as trouble_of
