import { bool, source } from './settingRow.ts'

/** Settings about what connections to peers go over. */
export const transportSettings = {
  enableOutgoingUtp: bool('enable_outgoing_utp', {
    default: true,
    source: source.v1_0,
    doc: 'Connect to peers by uTP, which yields to other traffic of the line; by TCP when that fails. On our own network TCP is tried first.',
  }),
  enableIncomingUtp: bool('enable_incoming_utp', {
    default: true,
    source: source.v1_0,
    doc: 'Let peers connect by uTP, on the UDP port beside each listen socket.',
  }),
  enableOutgoingTcp: bool('enable_outgoing_tcp', {
    default: true,
    source: source.v1_0,
    doc: 'Connect to peers by TCP.',
  }),
  enableIncomingTcp: bool('enable_incoming_tcp', {
    default: true,
    source: source.v1_0,
    doc: 'Let peers connect by TCP. If not, those who do are refused.',
  }),
} as const
