import type { FileIndex } from '../util/flavored.ts'

/**
 * Where a server has sent us for its files, so that only the first request of each takes the detour. When a redirect
 * only changed what stands before the path of a file, others are looked for there, too.
 */
export class RedirectMemory {
  private readonly files = new Map<FileIndex, string>()
  private base: { readonly from: string; readonly to: string } | null = null

  /** Where to ask for `file`, whose own URL is `url`. */
  lookUp(file: FileIndex, url: string): string {
    const known = this.files.get(file)
    if (known !== undefined) return known
    return this.base !== null && url.startsWith(this.base.from) ? this.base.to + url.slice(this.base.from.length) : url
  }

  /** `url` of `file` led to `target`, and the file was there. `root` is the part of `url` that all files have. */
  remember(file: FileIndex, url: string, target: string, root: string): void {
    this.files.set(file, target)
    const path = url.slice(root.length)
    if (path !== '' && url.startsWith(root) && target.endsWith(path)) {
      this.base = { from: root, to: target.slice(0, target.length - path.length) }
    }
  }

  /** What was remembered for `file` is not true any more. */
  forget(file: FileIndex): void {
    this.files.delete(file)
    this.base = null
  }
}
