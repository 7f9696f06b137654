import { addressOfDestination } from './destination.ts'
import { SamHandshake, type SamStep, wrongDestination } from './samHandshake.ts'
import { samLine } from './samMessage.ts'

/** How the tunnels of a session are built; see the settings of the same names. */
export interface TunnelOptions {
  readonly i2pInboundQuantity: number
  readonly i2pOutboundQuantity: number
  readonly i2pInboundLength: number
  readonly i2pOutboundLength: number
  readonly i2pInboundLengthVariance: number
  readonly i2pOutboundLengthVariance: number
}

/**
 * A session with a destination of its own, made for it and forgotten with it: `SESSION CREATE`, and `NAMING LOOKUP` for
 * what the destination is. The session lives as long as the connection.
 */
export class SamCreate extends SamHandshake {
  /** Ours, in full; empty before. */
  destination = ''
  /** Its base 32 name; empty before. */
  address = ''
  private stage: 'create' | 'lookup' = 'create'

  constructor(
    private readonly sessionId: string,
    private readonly tunnels: TunnelOptions,
  ) {
    super()
  }

  get isAsking(): boolean {
    return false
  }

  protected greeted(): Uint8Array {
    const { tunnels } = this
    return samLine('SESSION CREATE', {
      STYLE: 'STREAM',
      ID: this.sessionId,
      DESTINATION: 'TRANSIENT',
      // EdDSA-SHA512-Ed25519, and the encryption that new routers prefer with the one that old ones know (libtorrent).
      SIGNATURE_TYPE: 7,
      'i2cp.leaseSetEncType': '4,0',
      'inbound.quantity': tunnels.i2pInboundQuantity,
      'outbound.quantity': tunnels.i2pOutboundQuantity,
      'inbound.length': tunnels.i2pInboundLength,
      'outbound.length': tunnels.i2pOutboundLength,
      'inbound.lengthVariance': tunnels.i2pInboundLengthVariance,
      'outbound.lengthVariance': tunnels.i2pOutboundLengthVariance,
    })
  }

  protected onLine(line: string): SamStep {
    const reply = this.expect(line, this.stage === 'create' ? 'SESSION STATUS' : 'NAMING REPLY', 'proxy')
    if (!('values' in reply)) return reply
    if (this.stage === 'create') {
      // What it says of the destination is the private key, which nobody needs.
      this.stage = 'lookup'
      return { name: 'say', line: samLine('NAMING LOOKUP', { NAME: 'ME' }) }
    }
    const destination = reply.values.get('VALUE') ?? ''
    const address = addressOfDestination(destination)
    if (address === null) return wrongDestination()
    this.destination = destination
    this.address = address
    return { name: 'done' }
  }
}
