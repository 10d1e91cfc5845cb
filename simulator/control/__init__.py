"""The control API, `/_control/…`: it steers the simulation from outside, without a token."""

from simulator.control import droplets, invoices, simulation

BLUEPRINTS = (simulation.routes, invoices.routes, droplets.routes)
