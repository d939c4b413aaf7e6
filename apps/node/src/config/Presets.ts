/** Options with other defaults, by one name: below everything that a person says, above the defaults of the table. */

export const PRESET_NAMES = ["development", "production"] as const
export type PresetName = (typeof PRESET_NAMES)[number]

/** As texts, as if they stood in a file. */
export const PRESETS: { readonly [Name in PresetName]: Readonly<Record<string, string>> } = {
  development: { maxconnections: "50", timeout: "10000", pinginterval: "60" },
  production: { maxconnections: "1000", timeout: "30000", pinginterval: "300" }
}
