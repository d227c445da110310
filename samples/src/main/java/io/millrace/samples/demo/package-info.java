/*
 * Copyright 2026 The Millrace Authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at
 *
 * https://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */

/**
 * The demonstration: a prefill process streams the KV cache of requests to a decode process, which checks every byte.
 * <p>
 * Three processes take part. The parent ({@link io.millrace.samples.demo.Demo}) plans, starts and watches the two
 * children, and reports. A child reads its orders as lines of JSON on standard input and answers on standard output.
 */
package io.millrace.samples.demo;
