/**
 * Milliseconds after which a wait of the mesh tests counts as hung, and fails. Every wait ends when its state comes,
 * and none treats the time-out as a result.
 */
export const HUNG_MS = 120_000;
