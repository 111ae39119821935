// Instants in the region's time, whatever the computer's own zone says.

import { say } from "./phrases.js";

const ZONE = "Asia/Shanghai";
const DAY_MS = 86_400_000;

const parts = new Intl.DateTimeFormat("zh-CN", {
  timeZone: ZONE,
  year: "numeric",
  month: "numeric",
  day: "numeric",
  weekday: "narrow",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

function read(at) {
  const found = {};
  for (const { type, value } of parts.formatToParts(at)) found[type] = value;
  return found;
}

/** The local day of an instant, for comparing: 2026-11-23. */
export function dayOf(at) {
  const { year, month, day } = read(at);
  return `${year}-${month}-${day}`;
}

/** 今天, 昨天, or 11月23日（周一）, with the year when it is another one. */
export function dayName(at, now = new Date()) {
  if (dayOf(at) === dayOf(now)) return say("day.today");
  if (dayOf(at) === dayOf(new Date(now.getTime() - DAY_MS))) return say("day.yesterday");
  const { year, month, day, weekday } = read(at);
  const key = year === read(now).year ? "day.date" : "day.full_date";
  return say(key, { year, month, day, weekday });
}

/** 09:30 */
export function timeOf(at) {
  const { hour, minute } = read(at);
  return `${hour}:${minute}`;
}

/** A valid date from the server's text, else now: a message without a time is still shown. */
export function instant(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? new Date() : at;
}
