import type { Millis } from '../util/flavored.ts'

/** The settings uTP reads, under the names of the settings table. Read anew each time. */
export interface UtpSettings {
  /** `utp_target_delay`: queueing we allow ourselves to cause. Default 100. */
  readonly utpTargetDelay: Millis
  /** `utp_gain_factor`: bytes by which the window grows in one round trip, at most. Default 3000. */
  readonly utpGainFactor: number
  /** `utp_min_timeout`: least wait for an ack. Default 500. */
  readonly utpMinTimeout: Millis
  /** `utp_syn_resends`: SYN packets sent before a connection attempt has failed. Default 2. */
  readonly utpSynResends: number
  /** `utp_fin_resends`: timeouts in a row after which a connection that ends is given up. Default 2. */
  readonly utpFinResends: number
  /** `utp_num_resends`: timeouts in a row after which a connection is given up. Default 3. */
  readonly utpNumResends: number
  /** `utp_connect_timeout`: wait for the answer to the first SYN; it doubles. Default 3000. */
  readonly utpConnectTimeout: Millis
  /** `utp_delayed_ack`: longest that an ack is held back for another packet; 0: the end of the turn. Default 0. */
  readonly utpDelayedAck: Millis
  /** `utp_dynamic_sock_buf`: packets larger than Ethernet's inside this machine, once a probe got through. */
  readonly utpDynamicSockBuf: boolean
  /** `utp_loss_multiplier`: percent of the window that a loss leaves. Default 50. */
  readonly utpLossMultiplier: number
  /** `utp_cwnd_reduce_timer`: least time between two such cuts. Default 100. */
  readonly utpCwndReduceTimer: Millis
  /** `enable_incoming_utp`: others may connect to us. */
  readonly enableIncomingUtp: boolean
  /** `connections_limit`: with twice as many sockets nobody else may connect. */
  readonly connectionsLimit: number
}

/** The defaults of the settings table. */
export const defaultUtpSettings: UtpSettings = {
  utpTargetDelay: 100,
  utpGainFactor: 3000,
  utpMinTimeout: 500,
  utpSynResends: 2,
  utpFinResends: 2,
  utpNumResends: 3,
  utpConnectTimeout: 3000,
  utpDelayedAck: 0,
  utpDynamicSockBuf: true,
  utpLossMultiplier: 50,
  utpCwndReduceTimer: 100,
  enableIncomingUtp: true,
  connectionsLimit: 200,
}
