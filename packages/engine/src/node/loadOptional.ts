import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'

/** A package that need not be installed. */
export interface OptionalPackage {
  readonly name: string
  /** What it is for: the beginning of a sentence that goes on with its name. */
  readonly what: string
  /** Everything that is to be installed for that. */
  readonly install: string
}

/** Loads a package. An error: it is not there, and the message says what to do about it. */
export function loadOptional(
  load: () => Promise<void>,
  wanted: OptionalPackage,
  done: (error: LibtorrentError | null) => void,
): void {
  // What `done` throws is not a failure to load.
  load().then(
    () => done(null),
    (cause: unknown) => done(notLoaded(wanted, cause)),
  )
}

function notLoaded({ name, what, install }: OptionalPackage, cause: unknown): LibtorrentError {
  const { code, message } = cause as Partial<NodeJS.ErrnoException>
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' && message?.includes(`'${name}'`) === true
  const why = isMissing ? 'is not installed' : 'cannot be loaded'
  return libtorrentError('unsupportedUrlProtocol', {
    operation: 'tracker',
    // That it is not installed says everything.
    cause: isMissing ? undefined : cause,
    message: `${what} the package ${name}, which ${why} (npm install ${install})`,
  })
}
