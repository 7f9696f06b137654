import type { Random } from '../platform/random.ts'

/** What to do about an AddPortMapping that was refused. */
export type UpnpAnswer =
  | { readonly do: 'retry'; readonly externalPort: number }
  /** For ever, as the router knows no other (725). */
  | { readonly do: 'retryPermanent' }
  /** By the older action. */
  | { readonly do: 'retryPlain' }
  | { readonly do: 'fail' }

export interface UpnpRefusal {
  readonly errorCode: number
  readonly externalPort: number
  readonly localPort: number
  /** Refused in a row before this one. */
  readonly refusals: number
  readonly permanent: boolean
  /** The action was AddAnyPortMapping. */
  readonly anyPort: boolean
}

/** Other ports are tried so often, as in libtorrent. */
const MAX_PORT_TRIES = 4
const FIRST_RANDOM_PORT = 40_000
const RANDOM_PORTS = 10_000

const INVALID_ACTION = 401
const ACTION_FAILED = 501
const OPTIONAL_ACTION = 602
const CONFLICT = 718
const SAME_PORT_REQUIRED = 724
const ONLY_PERMANENT = 725

/** Decides what comes after a refusal (UPnP WANIPConnection:1 section 2.4.16, WANIPConnection:2 section 2.5.16 and 18). */
export function answerRefusal(refusal: UpnpRefusal, random: Random): UpnpAnswer {
  const { errorCode, refusals, externalPort, localPort } = refusal
  if (refusal.anyPort && (errorCode === INVALID_ACTION || errorCode === OPTIONAL_ACTION)) return { do: 'retryPlain' }
  if (refusals >= MAX_PORT_TRIES) return { do: 'fail' }
  switch (errorCode) {
    case ONLY_PERMANENT:
      return refusal.permanent ? { do: 'fail' } : { do: 'retryPermanent' }
    case SAME_PORT_REQUIRED:
      return externalPort === localPort ? { do: 'fail' } : { do: 'retry', externalPort: localPort }
    case CONFLICT:
    // Some routers say that it failed, without a reason, when the port is taken.
    case ACTION_FAILED:
      return { do: 'retry', externalPort: FIRST_RANDOM_PORT + random.below(RANDOM_PORTS) }
    default:
      return { do: 'fail' }
  }
}
