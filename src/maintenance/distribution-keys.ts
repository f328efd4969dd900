/** Keys of distribution that Skerry has no use for: the index of a tag's earlier digests, unfinished uploads. */
export function isDistributions(key: string): boolean {
  return /\/_manifests\/tags\/[^/]+\/index\/|\/_uploads\//.test(key);
}
