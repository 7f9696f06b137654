import type { Settings } from 'libtorrent-ts'

/** What connections to peers may go over, in either direction. */
export const TRANSPORTS = ['tcp', 'utp', 'both'] as const

export interface TransportOptions {
  readonly transport?: (typeof TRANSPORTS)[number]
}

export function transportSettings({ transport = 'both' }: TransportOptions): Partial<Settings> {
  const [tcp, utp] = [transport !== 'utp', transport !== 'tcp']
  return { enableOutgoingTcp: tcp, enableIncomingTcp: tcp, enableOutgoingUtp: utp, enableIncomingUtp: utp }
}
