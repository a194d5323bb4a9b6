// Generated from httpapi/openapi.yaml: go -C examples test ./mobile -run OpenAPI -update

export interface components {
    schemas: {
        /**
         * @description Identifies an installation of the app among those of the user. Its length is in Unicode code points. It
         *     has no control characters (Unicode category Cc).
         */
        DeviceId: string;
        /**
         * @description The token from `getExpoPushTokenAsync`: `ExponentPushToken[x]`, `ExpoPushToken[x]` or the older bare form.
         *     It is a credential. No response contains it.
         */
        ExpoPushToken: string;
        /** @enum {string} */
        Platform: "ios" | "android";
        /** @description The Expo project, as `@owner/slug` or its UUID. An empty value is the same as none. */
        ProjectId: string;
        /**
         * Format: date-time
         * @description RFC 3339 in UTC, with milliseconds.
         */
        Time: string;
        RegistrationRequest: {
            deviceId: components["schemas"]["DeviceId"];
            expoPushToken: components["schemas"]["ExpoPushToken"];
            platform: components["schemas"]["Platform"];
            projectId?: components["schemas"]["ProjectId"];
        };
        /** @description A registration. If an older service created it, some times may be absent. */
        Registration: {
            deviceId: components["schemas"]["DeviceId"];
            platform: components["schemas"]["Platform"];
            projectId?: components["schemas"]["ProjectId"];
            /** @description The time of the first registration. */
            registeredAt?: components["schemas"]["Time"];
            /** @description The time of the last registration. */
            updatedAt?: components["schemas"]["Time"];
            /** @description The time at which the registration expires unless the device registers again. */
            expiresAt?: components["schemas"]["Time"];
        };
        /** @description The registration after the request, with all its times. */
        Registered: components["schemas"]["Registration"] & unknown;
    };
}
