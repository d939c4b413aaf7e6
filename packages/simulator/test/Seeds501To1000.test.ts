import { seedsHold } from "./seeds.ts"

seedsHold(501, 1000)
