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
 * Binding to libfabric 1.17 and later: JNA calls the control plane, {@code java.lang.foreign} calls the function
 * pointers of the data path. {@link io.millrace.efa.libfabric.LibFabric} is the way in,
 * {@link io.millrace.efa.libfabric.FabricEndpoint} the interface to the data path.
 */
package io.millrace.efa.libfabric;
