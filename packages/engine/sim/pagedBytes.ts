const PAGE_BYTES = 16 * 1024

/** The content of a sparse file: only pages that were written take memory; the rest reads as zeros. */
export class PagedBytes {
  private readonly pages = new Map<number, Uint8Array>()
  private length = 0

  get size(): number {
    return this.length
  }

  /** Bytes that take room on the disk: whole pages. */
  get allocatedBytes(): number {
    return this.pages.size * PAGE_BYTES
  }

  /** How much `allocatedBytes` would grow by writing there. */
  growthOf(offset: number, length: number): number {
    let missing = 0
    for (let page = Math.floor(offset / PAGE_BYTES); page * PAGE_BYTES < offset + length; page++) {
      if (!this.pages.has(page)) missing++
    }
    return missing * PAGE_BYTES
  }

  write(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = offset + done
      const inPage = at % PAGE_BYTES
      const take = Math.min(PAGE_BYTES - inPage, bytes.length - done)
      const index = Math.floor(at / PAGE_BYTES)
      let page = this.pages.get(index)
      if (page === undefined) {
        page = new Uint8Array(PAGE_BYTES)
        this.pages.set(index, page)
      }
      page.set(bytes.subarray(done, done + take), inPage)
      done += take
    }
    this.length = Math.max(this.length, offset + bytes.length)
  }

  /** Fills `out` from `offset` on, as far as the file goes. Returns the number of bytes read. */
  read(offset: number, out: Uint8Array): number {
    const length = Math.max(0, Math.min(out.length, this.length - offset))
    for (let done = 0; done < length; ) {
      const at = offset + done
      const inPage = at % PAGE_BYTES
      const take = Math.min(PAGE_BYTES - inPage, length - done)
      const page = this.pages.get(Math.floor(at / PAGE_BYTES))
      if (page === undefined) out.fill(0, done, done + take)
      else out.set(page.subarray(inPage, inPage + take), done)
      done += take
    }
    return length
  }

  /** Cuts the file, or grows it by a hole. */
  truncate(size: number): void {
    if (size < this.length) {
      const first = Math.floor(size / PAGE_BYTES)
      for (const index of [...this.pages.keys()]) if (index > first) this.pages.delete(index)
      this.pages.get(first)?.fill(0, size % PAGE_BYTES)
    }
    this.length = size
  }

  copyFrom(other: PagedBytes): void {
    this.pages.clear()
    for (const [index, page] of other.pages) this.pages.set(index, page.slice())
    this.length = other.length
  }
}
