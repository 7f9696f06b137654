import { bool, int, source } from './settingRow.ts'

/** Settings of uTP (BEP 29). */
export const utpSettings = {
  utpTargetDelay: int('utp_target_delay', {
    default: 100,
    min: 1,
    unit: 'ms',
    source: source.v1_0,
    doc: 'Queueing on the way that uTP connections allow themselves to cause: below it they get faster, above it slower.',
  }),
  utpGainFactor: int('utp_gain_factor', {
    default: 3000,
    min: 1,
    unit: 'bytes',
    source: source.v1_0,
    doc: 'By how much the window grows in one round trip, at most.',
  }),
  utpMinTimeout: int('utp_min_timeout', {
    default: 500,
    min: 1,
    unit: 'ms',
    source: source.v1_0,
    doc: 'Shortest wait for an acknowledgement before packets are sent again.',
  }),
  utpSynResends: int('utp_syn_resends', {
    default: 2,
    unit: 'packets',
    source: source.v1_0,
    doc: 'How often the first packet of a connection is sent before the attempt has failed.',
  }),
  utpFinResends: int('utp_fin_resends', {
    default: 2,
    unit: 'packets',
    source: source.v1_0,
    doc: 'Timeouts in a row after which a connection that is being closed is given up.',
  }),
  utpNumResends: int('utp_num_resends', {
    default: 3,
    unit: 'packets',
    source: source.v1_0,
    doc: 'Timeouts in a row after which a connection is given up.',
  }),
  utpConnectTimeout: int('utp_connect_timeout', {
    default: 3000,
    min: 1,
    unit: 'ms',
    source: source.v1_0,
    doc: 'Wait for the answer to the first packet of a connection; twice as long each time it is sent again.',
  }),
  utpDelayedAck: int('utp_delayed_ack', {
    default: 0,
    unit: 'ms',
    source: source.v1_0,
    doc: 'How long an acknowledgement is held back for another packet to go with. 0: until what has arrived is handled.',
  }),
  utpDynamicSockBuf: bool('utp_dynamic_sock_buf', {
    default: true,
    classic: false,
    source: source.v1_0,
    doc: "Packets larger than Ethernet's between programs of this machine, once one got through.",
  }),
  utpLossMultiplier: int('utp_loss_multiplier', {
    default: 50,
    max: 100,
    unit: '%',
    source: source.v1_0,
    doc: 'What a lost packet leaves of the window.',
  }),
  utpCwndReduceTimer: int('utp_cwnd_reduce_timer', {
    default: 100,
    unit: 'ms',
    source: source.v1_1,
    doc: 'Shortest time between two such cuts.',
  }),
} as const
