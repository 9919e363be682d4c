import { z } from "zod";

export const settings = z.strictObject({
  base_url: z.url({ protocol: /^https$/ }).meta({ description: "Such as https://idp.example.com/scim/v2" }),
  page_size: z.int().min(1).max(200).default(100),
  filter: z.string().max(500).optional().meta({ description: 'Such as userType eq "Employee"' }),
});

export type Settings = z.infer<typeof settings>;
