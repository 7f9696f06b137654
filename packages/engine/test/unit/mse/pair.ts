import { SeededRandom } from '../../../sim/seededRandom.ts'
import type { MseHost, MseOutcome } from '../../../src/mse/mseHandshake.ts'
import { MseInitiator } from '../../../src/mse/mseInitiator.ts'
import { streamKeyHash } from '../../../src/mse/mseKeys.ts'
import { MseResponder } from '../../../src/mse/mseResponder.ts'
import { EncLevel } from '../../../src/settings/settingEnums.ts'
import { concatBytes, EMPTY_BYTES, toHex } from '../../../src/util/bytes.ts'

export const INFO_HASH = Uint8Array.from({ length: 20 }, (_, i) => i + 1)

export interface SideOptions {
  readonly seed?: number
  readonly allowedEncLevel?: EncLevel
  readonly preferRc4?: boolean
}

/** Everything one side has sent, until it is taken. */
export class Wire {
  private parts: Uint8Array[] = []
  readonly send = (bytes: Uint8Array): void => {
    this.parts.push(bytes)
  }

  take(): Uint8Array {
    const bytes = concatBytes(...this.parts)
    this.parts = []
    return bytes
  }
}

export function hostOf(
  wire: Wire,
  { seed = 1, allowedEncLevel = EncLevel.both, preferRc4 = false }: SideOptions,
): MseHost {
  return { random: new SeededRandom(seed), settings: { allowedEncLevel, preferRc4 }, send: wire.send }
}

export function initiator(
  wire: Wire,
  options: SideOptions = {},
  payload = EMPTY_BYTES,
  infoHash = INFO_HASH,
): MseInitiator {
  return new MseInitiator({ ...hostOf(wire, options), takeInitialPayload: () => payload }, infoHash)
}

export function responder(
  wire: Wire,
  options: SideOptions = {},
  torrents: readonly Uint8Array[] = [INFO_HASH],
): MseResponder {
  const keys = new Map(torrents.map((infoHash) => [toHex(streamKeyHash(infoHash)), infoHash]))
  return new MseResponder({
    ...hostOf(wire, { seed: 2, ...options }),
    mayExchangeKeys: () => true,
    findStreamKey: (hash) => keys.get(toHex(hash)) ?? null,
  })
}

/** The code of a failure, or what was agreed. */
export function resultOf(outcome: MseOutcome | null): string | number | null {
  if (outcome === null) return null
  return 'code' in outcome ? outcome.code : outcome.level
}
