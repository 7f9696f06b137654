import { bool, int, source } from './settingRow.ts'

/** Settings of uTP (BEP 29), the transport over UDP that yields to everything else. */
export const utpSettings = {
  utpTargetDelay: int('utp_target_delay', {
    default: 100,
    min: 1,
    unit: 'ms',
    source: source.v1_0,
    doc: 'Queueing that uTP allows itself to cause on the way: more is faster against others, and felt by them.',
  }),
  utpGainFactor: int('utp_gain_factor', {
    default: 3000,
    unit: 'bytes',
    source: source.v1_0,
    doc: 'By how much the congestion window of a uTP connection grows in a round trip, at most, once slow start is over.',
  }),
  utpMinTimeout: int('utp_min_timeout', {
    default: 500,
    min: 1,
    unit: 'ms',
    source: source.v1_0,
    doc: 'Least time to wait for an acknowledgement before packets are sent again.',
  }),
  utpSynResends: int('utp_syn_resends', {
    default: 2,
    min: 1,
    unit: 'packets',
    source: source.v1_0,
    doc: 'SYN packets sent, and not answered, before a connection attempt has failed.',
  }),
  utpFinResends: int('utp_fin_resends', {
    default: 2,
    unit: 'timeouts',
    source: source.v1_0,
    doc: 'Timeouts in a row after which a closed connection is forgotten, whether the other side knows or not.',
  }),
  utpNumResends: int('utp_num_resends', {
    default: 3,
    unit: 'timeouts',
    source: source.v1_0,
    doc: 'Timeouts in a row, each twice as long as the one before, after which a connection is given up.',
  }),
  utpConnectTimeout: int('utp_connect_timeout', {
    default: 3000,
    min: 1,
    unit: 'ms',
    source: source.v1_0,
    doc: 'Time to wait for the answer to the first SYN; it doubles with each.',
  }),
  utpDelayedAck: int('utp_delayed_ack', {
    default: 0,
    unit: 'ms',
    source: source.v1_0,
    doc: 'How long an acknowledgement may wait for a second packet. 0: packets that arrive together are acknowledged together.',
  }),
  utpDynamicSockBuf: bool('utp_dynamic_sock_buf', {
    default: true,
    classic: false,
    source: source.v1_0,
    doc: 'Try packets larger than Ethernet carries where there is no Ethernet: inside one machine.',
  }),
  utpLossMultiplier: int('utp_loss_multiplier', {
    default: 50,
    max: 100,
    unit: '%',
    source: source.v1_0,
    doc: 'What a lost packet leaves of the congestion window.',
  }),
  utpCwndReduceTimer: int('utp_cwnd_reduce_timer', {
    default: 100,
    unit: 'ms',
    source: source.v1_1,
    doc: 'Least time between two reductions of the congestion window because of losses.',
  }),
} as const
